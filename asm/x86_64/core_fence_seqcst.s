    lock or dword ptr [rsp - 64], 0
    ret
