"""A stage of python.yaml: every picture upside down, whatever its pixel format."""
import reel


class Flip(reel.Stage):
    def process(self, frame, port):
        self.output.write([plane[::-1] for plane in frame.planes], like=frame)


Flip.main()
