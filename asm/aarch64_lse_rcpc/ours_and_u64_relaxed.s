    mvn x8, x1
    ldclr x8, x0, [x0]
    ret
