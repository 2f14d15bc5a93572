/* 20,000 functions f00000 to f19999; fN(a, b) is a + b + N. */
#include <stdint.h>

#define F0(n) \
  int32_t f##n(int32_t a, int32_t b) { return a + b + (1##n - 100000); }
#define F1(n) F0(n##0) F0(n##1) F0(n##2) F0(n##3) F0(n##4) \
              F0(n##5) F0(n##6) F0(n##7) F0(n##8) F0(n##9)
#define F2(n) F1(n##0) F1(n##1) F1(n##2) F1(n##3) F1(n##4) \
              F1(n##5) F1(n##6) F1(n##7) F1(n##8) F1(n##9)
#define F3(n) F2(n##0) F2(n##1) F2(n##2) F2(n##3) F2(n##4) \
              F2(n##5) F2(n##6) F2(n##7) F2(n##8) F2(n##9)
#define F4(n) F3(n##0) F3(n##1) F3(n##2) F3(n##3) F3(n##4) \
              F3(n##5) F3(n##6) F3(n##7) F3(n##8) F3(n##9)

F4(0)
F4(1)
