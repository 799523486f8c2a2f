    mov x7, x5
    mov x6, x4
    mov x4, x2
    mov x5, x3
    casp x4, x5, x6, x7, [x0]
    cmp x4, x2
    ccmp x5, x3, #0, eq
    cset w0, eq
    ret
