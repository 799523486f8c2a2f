    adrp x8, CONST0
    ldr q5, [x8, :lo12:CONST0]
    ld4 { v0.4s, v1.4s, v2.4s, v3.4s }, [x0]
    dup v4.4s, w1
    cmeq v4.4s, v4.4s, v1.4s
    and v4.16b, v4.16b, v5.16b
    addv s4, v4.4s
    fmov w8, s4
    mov w0, w8
    ret
