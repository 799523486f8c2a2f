    movzx ecx, si
    vmovd xmm0, ecx
    vpbroadcastw ymm0, xmm0
    vpcmpeqw ymm1, ymm0, ymmword ptr [rdi]
    vpcmpeqw ymm0, ymm0, ymmword ptr [rdi + 32]
    vpacksswb ymm1, ymm1, ymm0
    vextracti128 xmm0, ymm1, 1
    vpacksswb xmm1, xmm1, xmm0
    vpshufd xmm1, xmm1, 216
    vpmovmskb eax, xmm1
    and eax, 43690
    ret
