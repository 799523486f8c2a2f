    dmb ishld
    ret
