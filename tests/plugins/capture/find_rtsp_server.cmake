# Looks for what makes an RTSP camera on loopback, once for all tests of one. The target is PkgConfig::REEL_RTSP_SERVER.
include_guard(GLOBAL)
pkg_check_modules(REEL_RTSP_SERVER QUIET IMPORTED_TARGET GLOBAL gstreamer-rtsp-server-1.0)
if(NOT REEL_RTSP_SERVER_FOUND)
  reel_leave_out("tests of rtsp:// cameras" "libgstrtspserver-1.0-dev")
endif()
