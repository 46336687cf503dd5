"""Side data as dicts, both ways."""

import numpy as np

import reel
from support import StreamTest, main

ENTRIES = [
    {"type": "detections", "name": "opencv.faces",
     "detections": [{"label": "face", "score": 0.5, "x": 1.0, "y": 2.0, "width": 30.0, "height": 40.0, "track_id": 7},
                    {"label": "Größe", "score": 0.25, "x": -1.0, "y": 0.0, "width": 0.5, "height": 0.5, "track_id": 0}]},
    {"type": "detections", "name": "none", "detections": []},
    {"type": "motion", "name": "opencv.motion", "score": 0.125},
    {"type": "audio_level", "name": "audio.level", "rms_dbfs": [-20.0, -30.5], "peak_dbfs": [-10.0, -200.0]},
    {"type": "json", "name": "mine", "value": {"a": [1, 2.5, None, "ä"], "b": {"c": True}}},
    {"type": "bytes", "name": "raw", "data": b"\x00\x01\xff"},
]


class SideData(StreamTest):
    def setUp(self):
        super().setUp()
        self.writer, self.reader = reel.Writer("s", reel.Format.video("GRAY8", 8, 8)), reel.Reader("s")

    def through(self, entries):
        self.writer.write(np.zeros((8, 8), np.uint8), side_data=entries)
        return self.reader.read().side_data

    def test_every_type_comes_out_as_it_went_in(self):
        self.assertEqual(self.through(ENTRIES), ENTRIES)
        self.assertEqual(self.through([]), [])

    def test_what_a_frame_was_made_from_stays_and_own_entries_are_added(self):
        self.writer.write(np.zeros((8, 8), np.uint8), side_data=ENTRIES[:2])
        with reel.Writer("t") as writer, reel.Reader("t", start="oldest", connect_timeout_ms=0) as reader:
            writer.write(np.zeros((4, 4), np.uint8), like=self.reader.read(), side_data=ENTRIES[2:])
            self.assertEqual(reader.read().side_data, ENTRIES)

    def test_text_that_is_no_json_is_given_as_it_is(self):
        entry = {"type": "json", "name": "odd", "text": "{not json"}
        self.assertEqual(self.through([entry]), [entry])
        deep = {"type": "json", "name": "deep", "text": "[" * 3000}
        self.assertEqual(self.through([deep]), [deep])

    def test_what_does_not_fit_is_refused_with_the_sum(self):
        with self.assertRaisesRegex(reel.Error, "4096 bytes that side_data_bytes grants") as caught:
            self.through([{"type": "bytes", "name": "large", "data": bytes(5000)}])
        self.assertEqual(caught.exception.code, "too_large")
        self.assertEqual(self.through(ENTRIES[:1]), ENTRIES[:1])  # nothing was published, the loan came back

    def test_a_dict_of_another_form_is_refused_by_name(self):
        for wrong, said in (({"type": "colour", "name": "x"}, "there are detections"), ({"type": "motion", "name": "x"}, "'score'"),
                            ({"name": "x"}, "'type'"), ({"type": "detections", "name": "x", "detections": [{"x": 1}]}, "'y'"),
                            ({"type": "audio_level", "name": "x", "rms_dbfs": [1], "peak_dbfs": []}, "same number")):
            with self.assertRaisesRegex(reel.Error, said) as caught:
                self.through([wrong])
            self.assertEqual(caught.exception.code, "bad_argument")
        with self.assertRaises((TypeError, RuntimeError)):
            self.through([{"type": "motion", "name": "x", "score": "much"}])


main()
