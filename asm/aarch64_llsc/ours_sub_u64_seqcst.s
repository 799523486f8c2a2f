    mov x8, x0
L0:
    ldaxr x0, [x8]
    sub x9, x0, x1
    stlxr w10, x9, [x8]
    cbnz w10, L0
    ret
