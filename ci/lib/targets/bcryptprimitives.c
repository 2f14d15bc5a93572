/* What Rust's standard library takes from bcryptprimitives.dll, which wine 8 does not have. */
__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *, unsigned long);
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *bytes, __SIZE_TYPE__ count) {
  return SystemFunction036(bytes, (unsigned long)count);
}
