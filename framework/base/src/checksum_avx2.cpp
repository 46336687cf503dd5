#include "checksum_kernels.inc"

namespace reel::kernels {
const Kernels kAvx2{&hash, &copy_and_hash};
}  // namespace reel::kernels
