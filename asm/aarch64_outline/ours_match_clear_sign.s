    adrp x8, CONST0
    ldr q0, [x8, :lo12:CONST0]
    ldp q1, q2, [x0]
    ldp q3, q4, [x0, #32]
    uzp2 v1.8h, v1.8h, v2.8h
    uzp2 v3.8h, v3.8h, v4.8h
    uzp2 v1.8h, v1.8h, v3.8h
    cmge v1.8h, v1.8h, #0
    and v1.16b, v1.16b, v0.16b
    addv h1, v1.8h
    fmov w8, s1
    mov w0, w8
    ret
