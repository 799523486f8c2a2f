    adrp x9, CONST0
    ldr q16, [x9, :lo12:CONST0]
    ld4 { v0.4s, v1.4s, v2.4s, v3.4s }, [x0]
    ld1 { v4.4s, v5.4s, v6.4s }, [x1]
    and v4.16b, v4.16b, v1.16b
    cmlt v7.4s, v1.4s, #0
    cmeq v5.4s, v5.4s, v4.4s
    cmeq v6.4s, v6.4s, v4.4s
    and v7.16b, v7.16b, v16.16b
    and v5.16b, v5.16b, v16.16b
    and v6.16b, v6.16b, v16.16b
    addv s7, v7.4s
    addv s5, v5.4s
    addv s6, v6.4s
    fmov w9, s7
    fmov w10, s5
    fmov w11, s6
    stp w10, w11, [x8]
    str w9, [x8, #8]
    ret
