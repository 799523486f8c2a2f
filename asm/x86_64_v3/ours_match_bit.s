    vmovdqa xmm0, xmmword ptr [rdi]
    vmovdqa xmm1, xmmword ptr [rdi + 16]
    vmovdqa xmm2, xmmword ptr [rdi + 32]
    vmovdqa xmm3, xmmword ptr [rdi + 48]
    vpsllq xmm0, xmm0, 62
    vpsllq xmm1, xmm1, 62
    vpsllq xmm2, xmm2, 62
    vpsllq xmm3, xmm3, 62
    vpacksswb xmm0, xmm0, xmm1
    vpacksswb xmm2, xmm2, xmm3
    vpacksswb xmm0, xmm0, xmm2
    vpmovmskb eax, xmm0
    and eax, 43690
    ret
