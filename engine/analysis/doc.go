// Package analysis says what a search shows: how parameters move along a trajectory, and whether that is more than chance.
//
// Everything here is a pure function of a tree. The claim under test (arXiv 2606.18388) is that along good trajectories
// capacity parameters only grow while regularization parameters go back and forth. [Along] lists the stages of a path,
// [Dynamics] how each parameter moved over them, and [Chance] how often random moves within the same bounds would look
// at least as much like the claim.
package analysis
