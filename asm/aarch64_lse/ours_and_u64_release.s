    mvn x8, x1
    ldclrl x8, x0, [x0]
    ret
