    mov x8, x0
L0:
    ldaxr x0, [x8]
    stlxr w9, x1, [x8]
    cbnz w9, L0
    ret
