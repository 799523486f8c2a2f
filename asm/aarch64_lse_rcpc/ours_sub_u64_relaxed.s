    neg x8, x1
    ldadd x8, x0, [x0]
    ret
