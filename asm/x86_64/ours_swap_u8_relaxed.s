    xchg byte ptr [rdi], sil
    test sil, sil
    setne al
    ret
