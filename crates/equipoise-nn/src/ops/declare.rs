//! Declares traits of operations.

/// Declares a trait of operations as a Burn backend extension.
///
/// ```text
/// fn name(tensor, tensor; constant: Type) -> FloatTensor;
/// ```
///
/// declares `fn name(tensor: FloatTensor<Self>, tensor: FloatTensor<Self>, constant: Type) -> FloatTensor<Self>`, whose
/// default body is `generic::name` of the module where the trait is declared. Several results stand in parentheses.
macro_rules! operations {
    (
        $(#[$about:meta])*
        pub trait $Ops:ident: $Above:ident {
            $(
                $(#[$doc:meta])*
                fn $name:ident($($tensor:ident),+ $(; $($constant:ident: $type:ty),+)?)
                    -> $($out:ident)? $(($($outs:ident),+))?;
            )+
        }
    ) => {
        $(#[$about])*
        #[burn::backend::backend_extension(Cube: cfg(any(feature = "vulkan", feature = "cuda")), Flex, Autodiff)]
        pub trait $Ops: $Above {
            $(
                $(#[$doc])*
                fn $name(
                    $($tensor: FloatTensor<Self>,)+
                    $($($constant: $type),+)?
                ) -> $($out<Self>)? $(($($outs<Self>),+))? {
                    generic::$name::<Self>($($tensor,)+ $($($constant),+)?)
                }
            )+
        }
    };
}

pub(super) use operations;
