// A plugin that cannot be loaded: the dynamic linker does not find a library of it.
int reel_test_absent();

int reel_test_needs_absent() {
  return reel_test_absent();
}
