    dmb ish
    ret
