    mov eax, esi
    lock cmpxchg byte ptr [rdi], dl
    setne cl
    test al, al
    setne dl
    mov eax, ecx
    ret
