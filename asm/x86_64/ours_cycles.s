    rdtsc
    shl rdx, 32
    or rax, rdx
    ret
