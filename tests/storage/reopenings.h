#pragma once

/// The crash store's tests count each start after a fault here; the sum is told at the end of a run.
void count_reopening();
