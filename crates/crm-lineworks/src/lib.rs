//! What LINE WORKS means: the client that sends, the callback that is read
