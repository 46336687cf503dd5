#include "checksum_kernels.inc"

namespace reel::kernels {
const Kernels kBaseline{&hash, &copy_and_hash};
}  // namespace reel::kernels
