#!/usr/bin/python3
"""rtsp_server.py NAME=CLIP.mp4...: an RTSP server on loopback; each clip (H.264, perhaps AAC) is a camera, rtsp://127.0.0.1:PORT/NAME.

Prints "port PORT" once it serves, and goes on until it is killed. A clip is sent as it is in the file, in real time, from its beginning when
the first one connects.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402: its version comes first

VIDEO = "( filesrc location={clip} ! qtdemux name=clip clip.video_0 ! queue ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 "
AUDIO = "clip.audio_0 ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97 "


def has_sound(clip):
    demuxed = Gst.parse_launch(f"filesrc location={clip} ! qtdemux name=clip clip. ! fakesink")
    demuxed.set_state(Gst.State.PAUSED)
    demuxed.get_state(10 * Gst.SECOND)
    found = any(pad.get_name().startswith("audio") for pad in demuxed.get_by_name("clip").srcpads)
    demuxed.set_state(Gst.State.NULL)
    return found


def main(cameras):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    for camera in cameras:
        name, clip = camera.split("=", 1)
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(VIDEO.format(clip=clip) + (AUDIO if has_sound(clip) else "") + ")")
        factory.set_shared(True)
        server.get_mount_points().add_factory("/" + name, factory)
    if server.attach(None) == 0:
        sys.exit("no port is free")
    print(f"port {server.get_bound_port()}", flush=True)
    GLib.MainLoop().run()


main(sys.argv[1:])
