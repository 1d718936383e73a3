//! Tables of our own, of the classes that statistical offices publish.
