// Needs a function that nobody has.
extern "C" int reel_test_function_that_nobody_has();
extern "C" __attribute__((visibility("default"))) int reel_plugin() {
  return reel_test_function_that_nobody_has();
}
