    mvn x8, x1
    ldclra x8, x0, [x0]
    ret
