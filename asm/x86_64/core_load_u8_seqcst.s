    movzx eax, byte ptr [rdi]
    test al, al
    setne al
    ret
