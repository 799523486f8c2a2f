    neg x8, x1
    ldadda x8, x0, [x0]
    ret
