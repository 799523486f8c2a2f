    pause
    ret
