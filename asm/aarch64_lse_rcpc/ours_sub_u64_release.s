    neg x8, x1
    ldaddl x8, x0, [x0]
    ret
