// A module, but no plugin.
extern "C" int reel_test_nothing() {
  return 0;
}
