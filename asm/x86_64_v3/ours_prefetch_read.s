    prefetcht0 byte ptr [rdi]
    ret
