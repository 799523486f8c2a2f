    prfm pstl1keep, [x0]
    ret
