/// One step of a [`ListWatch`](crate::ListWatch): what there is, then what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// The objects that there are begin to come, again after a gap in the changes. Those that come until
    /// [`InitDone`](Self::InitDone) are all there are: what was known before and does not come is gone.
    ///
    /// When they can't be read to their end, another `Init` follows without an `InitDone`, and they come from the start.
    Init,
    /// An object that is there: between `Init` and `InitDone` one of all, afterwards one that was added or changed.
    ///
    /// Between `Init` and `InitDone` each object comes once; where the server sends them as a watch, one that changes
    /// meanwhile comes again.
    Applied(T),
    /// An object went; this is its last state. Between `Init` and `InitDone` only where the server sends them as a
    /// watch.
    Deleted(T),
    /// All objects that there are have come. Changes follow.
    InitDone,
}
