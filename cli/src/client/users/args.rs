use clap::Subcommand;

/// `berth user`. A user is meant by name.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List the accounts, what they hold and may hold · 列出账户与用量
    List,
    /// Make an account; its password is drawn and printed unless one is given · 新建账户，缺省随机生成密码
    Create {
        /// Its name · 用户名
        name: String,
        /// As an administrator · 设为管理员
        #[arg(long)]
        admin: bool,
        /// Read the password from standard input · 从标准输入读取密码
        #[arg(long)]
        password_stdin: bool,
    },
    /// Shut an account out; its images stay · 停用账户，图片保留
    Disable {
        /// Whose · 用户名
        name: String,
    },
    /// Let it in again · 重新启用
    Enable {
        /// Whose · 用户名
        name: String,
    },
    /// Delete an account and withdraw all of its images, for good · 删除账户及其全部图片，无法撤销
    Delete {
        /// Whose · 用户名
        name: String,
        /// Don't ask · 不询问
        #[arg(short, long)]
        yes: bool,
    },
    /// Set an account's password, which ends its sessions · 重设密码，其会话全部失效
    Passwd {
        /// Whose · 用户名
        name: String,
        /// Read it from standard input · 从标准输入读取
        #[arg(long)]
        password_stdin: bool,
    },
    /// Set how much an account may hold · 设置配额
    Quota {
        /// Whose · 用户名
        name: String,
        /// Bytes, such as 10GiB, or `none` · 容量，如 10GiB，none 为不限
        #[arg(long, required_unless_present = "files")]
        bytes: Option<Quota>,
        /// Images, or `none` · 图片数，none 为不限
        #[arg(long)]
        files: Option<Quota>,
    },
    /// Make an account an administrator or a member · 设置角色
    Role {
        /// Whose · 用户名
        name: String,
        /// admin or member · 管理员或成员
        #[arg(value_parser = ["admin", "member"])]
        role: String,
    },
}

/// A limit, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota(pub(crate) Option<u64>);

impl std::str::FromStr for Quota {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const UNITS: [&str; 5] = ["", "K", "M", "G", "T"];
        if text.eq_ignore_ascii_case("none") {
            return Ok(Self(None));
        }
        let wrong = "expected a number such as 500, 500MB or 10GiB, or none";
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let number: u64 = digits.parse().map_err(|_| wrong)?;
        let unit = text[digits.len()..].trim().to_ascii_uppercase();
        // As disks are sold and as memory is: 1 MB is 1,000,000, 1 MiB is 1,048,576.
        let (letter, base) = match unit.strip_suffix("IB") {
            Some(letter) => (letter, 1024),
            None => (unit.strip_suffix('B').unwrap_or(&unit), 1000_u64),
        };
        let power = UNITS.iter().position(|known| *known == letter).ok_or(wrong)?;
        let power = u32::try_from(power).map_err(|_| wrong)?;
        number
            .checked_mul(base.pow(power))
            .map(Some)
            .map(Self)
            .ok_or(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_a_number_with_or_without_a_unit() {
        for (text, quota) in [
            ("500", Some(Some(500))),
            ("10GiB", Some(Some(10 << 30))),
            ("10 gb", Some(Some(10_000_000_000))),
            ("3k", Some(Some(3_000))),
            ("none", Some(None)),
            ("GiB", None),
            ("10 apples", None),
            ("99999999999T", None),
        ] {
            assert_eq!(text.parse::<Quota>().ok().map(|quota| quota.0), quota, "{text}");
        }
    }
}
