    mrs x0, CNTVCT_EL0
    ret
