    neg x8, x1
    ldaddal x8, x0, [x0]
    ret
