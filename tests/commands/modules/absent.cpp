// A library that is built and then not to be found.
int reel_test_absent() {
  return 1;
}
