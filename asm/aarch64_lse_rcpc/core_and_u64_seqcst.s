    mvn x8, x1
    ldclral x8, x0, [x0]
    ret
