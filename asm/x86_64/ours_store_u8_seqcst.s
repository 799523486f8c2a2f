    xchg byte ptr [rdi], sil
    ret
