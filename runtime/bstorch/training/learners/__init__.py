"""Learners: how a minibatch's gradients change the parameters (`gradUpdateType`). One rule a file."""
