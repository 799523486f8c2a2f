    prefetchw byte ptr [rdi]
    ret
