    prfm pldl1keep, [x0]
    ret
