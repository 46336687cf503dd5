// How AddressSanitizer looks for leaks in programs that use GStreamer: compiled into each of them, tests and
// the host of gst stages.
#ifdef __SANITIZE_ADDRESS__
// The frames of GLib and GStreamer have no frame pointers, and a leak is told by who asked GLib for memory.
// What was suppressed is not listed: others read what the host of gst stages prints.
extern "C" const char* __asan_default_options() {
  return "fast_unwind_on_malloc=0:print_suppressions=0";
}

// What is never given back, and is none of ours.
extern "C" const char* __lsan_default_suppressions() {
  return
      // What libraries make as they are loaded: GLib's first table of quarks among it, which is replaced,
      // never freed, since another thread may be looking at it. By the loader's file: it may have no symbols.
      "leak:ld-linux\n"
      // The tables that replace it.
      "leak:g_quark_from_\n"
      "leak:g_intern_\n"
      // What fontconfig makes in a thread of its own while plugins are looked through.
      "leak:libfontconfig.so\n"
      // Some of the tables of each of its encoders, closed or not.
      "leak:libx265.so\n"
      // Its device provider forgets the context with which it found no server of sound.
      "leak:libgstpulseaudio.so\n";
}
#endif
