#include "rtsp_camera.hpp"

#include <stdexcept>

#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>

namespace capture_test {

namespace {

// Basic and digest, as cameras do.
void protect(GstRTSPServer* server, GstRTSPMediaFactory* factory, const std::string& user,
             const std::string& password) {
  GstRTSPAuth* const auth = gst_rtsp_auth_new();
  gst_rtsp_auth_set_supported_methods(auth, GST_RTSP_AUTH_DIGEST);
  GstRTSPToken* const token =
      gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "viewer", nullptr);
  gst_rtsp_auth_add_digest(auth, user.c_str(), password.c_str(), token);
  gst_rtsp_token_unref(token);
  gst_rtsp_server_set_auth(server, auth);
  g_object_unref(auth);
  gst_rtsp_media_factory_add_role(factory, "viewer", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
                                  GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, nullptr);
}

// port, launch line, user, password, profile. Ends with its process.
int serve(const std::vector<std::string>& arguments) {
  gst_init(nullptr, nullptr);
  GstRTSPServer* const server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, "127.0.0.1");
  gst_rtsp_server_set_service(server, arguments[0].c_str());
  GstRTSPMediaFactory* const factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, arguments[1].c_str());
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  if (arguments[4] == "avpf") gst_rtsp_media_factory_set_profiles(factory, GST_RTSP_PROFILE_AVPF);
  if (!arguments[2].empty()) protect(server, factory, arguments[2], arguments[3]);
  GstRTSPMountPoints* const mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, "/camera", factory);
  g_object_unref(mounts);
  if (gst_rtsp_server_attach(server, nullptr) == 0) return 1;
  reel_test::say("port " + std::to_string(gst_rtsp_server_get_bound_port(server)));
  g_main_loop_run(g_main_loop_new(nullptr, FALSE));
  return 0;
}

const reel_test::Role camera("rtsp_camera", serve);

std::string encoder_and_payloader(const CameraSetup& setup) {
  const std::string keys = " key-int-max=" + std::to_string(setup.key_frames);
  if (setup.codec == "jpeg") return "jpegenc ! rtpjpegpay name=pay0 pt=26";
  if (setup.codec == "h265")
    return "x265enc tune=zerolatency speed-preset=ultrafast" + keys +
           " ! rtph265pay name=pay0 pt=96 config-interval=-1";
  const std::string h264 = "x264enc tune=zerolatency speed-preset=ultrafast" + keys + " ! rtph264pay pt=96 ";
  if (!setup.feedback) return h264 + "name=pay0 config-interval=-1";
  return h264 +
         "config-interval=-1 ! capssetter name=pay0 "
         "caps=application/x-rtp,rtcp-fb-nack-pli=(boolean)true";
}

std::string launch_line(const CameraSetup& setup) {
  std::string line = "( videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=" +
                     std::to_string(setup.width) + ",height=" + std::to_string(setup.height) +
                     ",framerate=25/1 ! ";
  line += encoder_and_payloader(setup);
  if (setup.sound)
    line +=
        " audiotestsrc is-live=true ! audio/x-raw,rate=48000,channels=1 ! avenc_aac ! "
        "rtpmp4gpay name=pay1 pt=97";
  return line + " )";
}

}  // namespace

RtspCamera::RtspCamera() : RtspCamera(CameraSetup{}) {}

RtspCamera::RtspCamera(const CameraSetup& setup) : setup_(setup) {
  start();
}

void RtspCamera::start() {
  process_.emplace(reel_test::ChildProcess::role(
      "rtsp_camera",
      {port_, launch_line(setup_), setup_.user, setup_.password, setup_.feedback ? "avpf" : "avp"}));
  const std::string line = process_->wait_for_line("port ");
  if (line.empty()) throw std::runtime_error("the RTSP server does not start: " + process_->errors());
  port_ = line.substr(5);
}

void RtspCamera::start(const CameraSetup& setup) {
  setup_ = setup;
  start();
}

std::string RtspCamera::uri() const {
  return uri("");
}
std::string RtspCamera::uri(const std::string& who) const {
  return "rtsp://" + who + "127.0.0.1:" + port_ + "/camera";
}

}  // namespace capture_test
