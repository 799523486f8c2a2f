    movzx ecx, si
    vmovd xmm0, ecx
    vpbroadcastw xmm0, xmm0
    vpcmpeqw xmm1, xmm0, xmmword ptr [rdi]
    vpcmpeqw xmm2, xmm0, xmmword ptr [rdi + 16]
    vpcmpeqw xmm3, xmm0, xmmword ptr [rdi + 32]
    vpcmpeqw xmm0, xmm0, xmmword ptr [rdi + 48]
    vpacksswb xmm1, xmm1, xmm2
    vpacksswb xmm3, xmm3, xmm0
    vpacksswb xmm1, xmm1, xmm3
    vpmovmskb eax, xmm1
    and eax, 43690
    ret
