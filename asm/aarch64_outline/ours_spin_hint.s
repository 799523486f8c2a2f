    isb
    ret
