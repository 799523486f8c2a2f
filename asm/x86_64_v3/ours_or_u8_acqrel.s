    movzx eax, byte ptr [rdi]
L0:
    mov ecx, eax
    or cl, sil
    lock cmpxchg byte ptr [rdi], cl
    jne L0
    test al, al
    setne al
    ret
